"""Two providers of text messages, each in its real protocol: `aliyun` and `tencent` on what `post` keeps for both."""
