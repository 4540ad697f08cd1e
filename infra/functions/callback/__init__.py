"""The inbound callback of WeChat Official Account, Mini Program and WeCom, turned into Salesforce platform events."""
