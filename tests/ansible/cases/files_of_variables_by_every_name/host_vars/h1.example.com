host: h1.example.com
