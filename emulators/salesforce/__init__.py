"""The emulated Salesforce: orgs of both editions, their OAuth, REST, SOQL, Tooling and Metadata interfaces."""
