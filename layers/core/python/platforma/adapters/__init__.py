"""The outside: the only home of boto3, botocore, pynamodb and hvac."""
