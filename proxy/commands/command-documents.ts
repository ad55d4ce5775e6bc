/** What COMMAND DOCS answers for a command. */
import { type Documentation, documentationOf } from '../../shared/commands/documentation/documentation.js';
import type { Argument } from '../../shared/commands/documentation/notation.js';
import { MapReply, type Reply, SetReply } from '../../shared/commands/reply.js';
import type { CatalogueEntry } from '../catalogue.js';
import { statuses } from './key-specifications.js';

export function document(entry: CatalogueEntry): Reply {
  const { name, summary, since, group } = entry.command;
  const fields: Reply[] = ['summary', summary, 'since', since, 'group', group];
  const documentation = documentationOf(name);
  if (documentation !== null) fields.push(...furtherFields(documentation));
  if (entry.subcommands !== null) {
    fields.push(
      'subcommands',
      new MapReply([...entry.subcommands.values()].flatMap((row): Reply[] => [row.name, document(row)])),
    );
  }
  return new MapReply(fields);
}

function furtherFields({ cost, history, internal, deprecated, parts }: Documentation): Reply[] {
  const fields: Reply[] = [];
  if (cost !== null) fields.push('complexity', cost);
  if (history.length > 0) fields.push('history', new SetReply(history));
  if (internal) fields.push('doc_flags', statuses(['syscmd']));
  if (deprecated !== null) {
    const { since, replacedBy } = deprecated;
    fields.push('doc_flags', statuses(['deprecated']), 'deprecated_since', since, 'replaced_by', replacedBy);
  }
  if (parts.length > 0) fields.push('arguments', parts.map(describeArgument));
  return fields;
}

function describeArgument(argument: Argument): Reply {
  const { name, type, keySpecification, token, since, deprecatedSince, flags, parts } = argument;
  const fields: Reply[] = ['name', name, 'type', type];
  if (keySpecification !== null) fields.push('key_spec_index', keySpecification);
  if (token !== null) fields.push('token', token);
  if (since !== null) fields.push('since', since);
  if (deprecatedSince !== null) fields.push('deprecated_since', deprecatedSince);
  if (flags.length > 0) fields.push('flags', statuses(flags));
  if (parts.length > 0) fields.push('arguments', parts.map(describeArgument));
  return new MapReply(fields);
}
