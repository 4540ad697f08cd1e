"""The embedded default: Alibaba Cloud and both Salesforce editions, answering for their real host names."""
