import { expect } from 'chai';
import { columns } from '../../../cli/admin/columns.js';

describe('columns', () => {
  it('are as wide as they need to be, with numbers to the right', () => {
    const rows = [
      { table: 'default', slots: [0, 8191], committed: 7, learners: [] },
      { table: 't', slots: [8192, 16383], committed: 1200, learners: ['server-1', 'server-2'] },
    ];
    expect(columns(rows, ['table', 'slots', 'committed', 'learners'])).to.equal(
      [
        'TABLE    SLOTS       COMMITTED  LEARNERS',
        'default  0-8191              7  -',
        't        8192-16383       1200  server-1, server-2',
      ].join('\n'),
    );
  });

  it('show their names when there is nothing else', () => {
    expect(columns([], ['node', 'role'])).to.equal('NODE  ROLE');
  });
});
