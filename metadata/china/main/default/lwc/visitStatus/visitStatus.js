import { LightningElement, api } from 'lwc';

const STATUSES = {
    Planned: { label: '已计划', theme: 'slds-theme_info' },
    Confirmed: { label: '已确认', theme: 'slds-theme_info' },
    'On Site': { label: '现场服务中', theme: 'slds-theme_warning' },
    Completed: { label: '已完成', theme: 'slds-theme_success' },
    Cancelled: { label: '已取消', theme: '' }
};

export default class VisitStatus extends LightningElement {
    @api status;

    get label() {
        return STATUSES[this.status] ? STATUSES[this.status].label : this.status;
    }

    get badgeClass() {
        return STATUSES[this.status] ? STATUSES[this.status].theme : '';
    }
}
