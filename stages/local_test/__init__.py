"""LambdaTest: a package proves itself on recorded events before it is released."""
