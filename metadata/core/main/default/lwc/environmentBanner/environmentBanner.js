import { LightningElement } from 'lwc';
import ENVIRONMENT from '@salesforce/label/c.Environment_Banner';

const NOTHING = '-';

export default class EnvironmentBanner extends LightningElement {
    get text() {
        return ENVIRONMENT === NOTHING ? '' : ENVIRONMENT;
    }
}
