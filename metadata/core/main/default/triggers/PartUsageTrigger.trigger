trigger PartUsageTrigger on Part_Usage__c (before insert, after insert, after update, after delete) {
    if (Automation.isOff()) {
        return;
    }
    if (Trigger.isBefore) {
        PartStock.price(Trigger.new);
    } else {
        PartStock.book(Trigger.new, Trigger.old);
    }
}
