import { LightningElement, api, wire } from 'lwc';
import { MessageContext, publish } from 'lightning/messageService';
import { refreshApex } from '@salesforce/apex';
import visits from '@salesforce/apex/UpcomingVisitsController.visits';
import confirm from '@salesforce/apex/UpcomingVisitsController.confirm';
import VISIT_SELECTED from '@salesforce/messageChannel/VisitSelected__c';
import TITLE from '@salesforce/label/c.Upcoming_Visits';
import NONE from '@salesforce/label/c.No_Visits';
import CONFIRM from '@salesforce/label/c.Confirm_Visit';

export default class UpcomingVisits extends LightningElement {
    @api recordId;
    labels = { title: TITLE, none: NONE, confirm: CONFIRM };
    error;
    result;

    @wire(MessageContext) messageContext;

    @wire(visits, { recordId: '$recordId' })
    wiredVisits(result) {
        this.result = result;
        this.error = result.error ? result.error.body.message : undefined;
    }

    get visits() {
        const rows = (this.result && this.result.data) || [];
        return rows.map((visit) => ({ ...visit, canConfirm: visit.Status__c === 'Planned' }));
    }

    get empty() {
        return Boolean(this.result && this.result.data && this.result.data.length === 0);
    }

    handleSelect(event) {
        publish(this.messageContext, VISIT_SELECTED, { visitId: event.currentTarget.dataset.id });
    }

    async handleConfirm(event) {
        event.stopPropagation();
        try {
            await confirm({ visitId: event.target.value });
            await refreshApex(this.result);
        } catch (error) {
            this.error = error.body ? error.body.message : error.message;
        }
    }
}
