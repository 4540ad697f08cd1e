trigger SiteVisitTrigger on Site_Visit__c (before insert, before update, after insert, after update) {
    if (Automation.isOff()) {
        return;
    }
    if (Trigger.isBefore) {
        SiteVisits.stampCompleted(Trigger.new, Trigger.oldMap);
    } else {
        SiteVisits.announceCompleted(Trigger.new, Trigger.oldMap);
    }
}
