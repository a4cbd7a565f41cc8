"""Somebody pays. `meet` holds its people and reads them; `start` issues bills and asks the gateway; `checkout` keeps
its code; `go_on` leads to a page that lives minutes; `follow` says where it stands; `codes_out` tells of another's;
`leave` takes another way; `collect` books the gateway's word; `expire` asks where none came; `history` lists the years;
`pause` stops a channel for new payments."""
