"""Alipay (gateway.do, RSA2). `gateway` talks, `reading` believes or refuses, `statement` reads a day."""
