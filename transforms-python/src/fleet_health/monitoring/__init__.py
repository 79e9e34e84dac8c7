"""What is measured about the pipeline itself, against which limit, who is told and what they do."""
