import { LightningElement, api } from 'lwc';

const THEMES = {
    Planned: 'slds-theme_info',
    Confirmed: 'slds-theme_info',
    'On Site': 'slds-theme_warning',
    Completed: 'slds-theme_success'
};

export default class VisitStatus extends LightningElement {
    @api status;

    get badgeClass() {
        return THEMES[this.status] || '';
    }
}
