"""What people see: pages rendered here, in their language, that work without script but for passkeys."""
