"""The same ports in memory: real implementations for fast tests and benches, held to the contract tests of DynamoDB's."""
