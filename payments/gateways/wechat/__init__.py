"""WeChat Pay API v3. `gateway` talks, `reading` believes or refuses, `statement` reads a day; the rest serves them."""
