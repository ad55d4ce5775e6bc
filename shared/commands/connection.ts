/** Commands that concern the connection. */
import type { Command } from './command.js';

export const connectionCommands: readonly Command[] = [];
