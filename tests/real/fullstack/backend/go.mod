module git.example/dash

go 1.19
