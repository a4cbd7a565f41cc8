"""The payment channels: each talks its gateway's protocol in our words (`base`); `known` names them all."""
