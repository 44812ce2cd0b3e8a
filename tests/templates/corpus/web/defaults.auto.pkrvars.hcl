packages = ["nginx", "curl", "git"]
