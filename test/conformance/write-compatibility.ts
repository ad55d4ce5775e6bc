/** Writes docs/compatibility.md anew: `npm run docs`. */
import { writeFileSync } from 'node:fs';
import { wholePage } from './compatibility-page.js';

writeFileSync(new URL('../../../docs/compatibility.md', import.meta.url), wholePage());
