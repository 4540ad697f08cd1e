import { LightningElement } from 'lwc';
import FILING from '@salesforce/label/c.ICP_Filing_Number';

export default class IcpFooter extends LightningElement {
    filing = FILING;
}
