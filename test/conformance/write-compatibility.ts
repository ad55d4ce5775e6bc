/** Writes docs/compatibility.md anew: `npm run docs`. */
import { writeFileSync } from 'node:fs';
import { compatibilityPage } from '../../shared/commands/compatibility.js';
import { commands } from '../../shared/commands/index.js';

writeFileSync(new URL('../../../docs/compatibility.md', import.meta.url), compatibilityPage(commands));
