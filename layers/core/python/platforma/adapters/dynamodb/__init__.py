"""State in DynamoDB: one module a subject, one place for transactions."""
