import { LightningElement, api, wire } from 'lwc';
import { getFieldValue, getRecord } from 'lightning/uiRecordApi';
import RESPONSE_DUE from '@salesforce/schema/Case.Response_Due__c';
import FIRST_RESPONSE from '@salesforce/schema/Case.First_Response__c';
import TITLE from '@salesforce/label/c.Response_Clock';
import ANSWERED from '@salesforce/label/c.Response_Given';

const MINUTE = 60 * 1000;

export default class ResponseClock extends LightningElement {
    @api recordId;
    labels = { title: TITLE, answered: ANSWERED };
    now = Date.now();
    timer;

    @wire(getRecord, { recordId: '$recordId', fields: [RESPONSE_DUE, FIRST_RESPONSE] })
    record;

    connectedCallback() {
        this.timer = setInterval(() => {
            this.now = Date.now();
        }, MINUTE);
    }

    disconnectedCallback() {
        clearInterval(this.timer);
    }

    get minutes() {
        const due = getFieldValue(this.record.data, RESPONSE_DUE);
        return due ? Math.round((Date.parse(due) - this.now) / MINUTE) : undefined;
    }

    get remaining() {
        if (getFieldValue(this.record.data, FIRST_RESPONSE)) {
            return this.labels.answered;
        }
        if (this.minutes === undefined) {
            return '–';
        }
        const sign = this.minutes < 0 ? '−' : '';
        const absolute = Math.abs(this.minutes);
        return `${sign}${Math.floor(absolute / 60)}:${String(absolute % 60).padStart(2, '0')}`;
    }

    get clockClass() {
        return this.minutes < 0 ? 'clock clock-late' : 'clock';
    }
}
