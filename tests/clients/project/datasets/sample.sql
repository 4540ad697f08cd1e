BEGIN TRANSACTION;
CREATE TABLE "Account" (id INTEGER NOT NULL, "Name" VARCHAR(255), PRIMARY KEY (id));
INSERT INTO "Account" VALUES(1,'Hongqiao Lifts');
INSERT INTO "Account" VALUES(2,'上海电梯');
CREATE TABLE "Visit__c" (id INTEGER NOT NULL, "Name" VARCHAR(255), "Code__c" VARCHAR(255), PRIMARY KEY (id));
INSERT INTO "Visit__c" VALUES(1,'First, with a comma','V-1');
COMMIT;
