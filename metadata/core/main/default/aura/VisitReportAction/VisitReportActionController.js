({
    open: function (component) {
        $A.get('e.force:navigateToURL')
            .setParams({ url: '/apex/VisitReport?id=' + component.get('v.recordId') })
            .fire();
        $A.get('e.force:closeQuickAction').fire();
    }
});
