"""The shapes of bodies, queries and answers, a module an area; OpenAPI is made from them."""
