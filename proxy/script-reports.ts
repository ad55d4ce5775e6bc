/**
 * What scripts report beside their results (shared/operations/scripts.ts): it is asked for where somebody monitors, or
 * tracks, and what comes is told behind the reply, as the script is told of before what it called.
 */
import type { TranslateContext } from '../shared/commands/command.js';
import type { OperationResult } from '../shared/operations/operation.js';
import { ReportOf, type ScriptReport, reportOf } from '../shared/operations/scripts.js';
import type { CatalogueEntry } from './catalogue.js';
import type { ProxyContext } from './context.js';
import { logDenial } from './permissions.js';
import type { Session } from './session.js';

/** The context that a script is translated with. */
export function scriptContext(
  { messaging }: ProxyContext,
  session: Session,
  context: TranslateContext,
): TranslateContext {
  const monitored = messaging.monitors.any ? ReportOf.calls : 0;
  const tracked = session.tracking?.remembers === true ? ReportOf.reads : 0;
  return monitored + tracked === 0 ? context : { ...context, scriptReports: monitored | tracked };
}

/**
 * The result alone, and what is to be done with the report once the reply is known; null: nothing. `isWritten`: what the
 * script read may have been written since.
 */
export function withoutReport(
  proxy: ProxyContext,
  session: Session,
  { isScript }: CatalogueEntry,
  result: OperationResult,
): { readonly result: OperationResult; readonly tell: ((isWritten: boolean) => void) | null } {
  const found = isScript ? reportOf(result) : null;
  if (found === null) return { result, tell: null };
  return { result: found.result, tell: (isWritten) => tell(proxy, session, found.report, isWritten) };
}

function tell(proxy: ProxyContext, session: Session, report: ScriptReport, isWritten: boolean): void {
  const [calls, fresh, stale, denials] = report;
  const { monitors, tracking } = proxy.messaging;
  const wallMs = proxy.environment.wallMs();
  if (monitors.any) for (const [db, ...words] of calls) monitors.showCalled(db, words, wallMs);
  if (fresh.length + stale.length > 0) {
    tracking.remember(session, [...fresh, ...stale]);
    tracking.wroteItself(session, isWritten ? [...fresh, ...stale] : stale);
  }
  for (const [reason, object] of denials) logDenial(proxy, session, { reason, object, position: 0 }, 'lua');
}
