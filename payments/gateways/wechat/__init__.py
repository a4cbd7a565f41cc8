"""WeChat Pay API v3. `gateway` talks, `reading` believes or refuses, `statement` reads a day (`ordinary` nearly all of
it, `lines` its file); the rest serves them."""
