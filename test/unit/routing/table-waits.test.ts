/** A proxy that starts while meta is away: its clients wait as long as a request would. */
import { expect } from 'chai';
import { RoutedTable, type RoutedPartition } from '../../../shared/routing/routing-table.js';
import { TableWaits } from '../../../shared/routing/table-waits.js';

describe('who waits to hear of a table', () => {
  it('goes on when meta has told of it', () => {
    const waits = new TableWaits();
    const table = new RoutedTable('default');
    const done: string[] = [];
    waits.add(table, 0, 100, () => done.push('a'));
    waits.add(new RoutedTable('other'), 0, 100, () => done.push('b'));
    waits.look(1);
    expect(done).to.deep.equal([]);
    table.partitions = [{} as RoutedPartition];
    waits.look(2);
    waits.look(3);
    expect(done).to.deep.equal(['a']);
  });

  it('goes on without it when its time is over, and whoever comes then does not wait', () => {
    const waits = new TableWaits();
    const table = new RoutedTable('default');
    const done: number[] = [];
    waits.add(table, 0, 100, () => done.push(1));
    waits.add(table, 60, 100, () => done.push(2));
    waits.look(99);
    expect(done).to.deep.equal([]);
    waits.look(100);
    expect(done).to.deep.equal([1, 2]);
    waits.add(table, 130, 100, () => done.push(3));
    expect(done).to.deep.equal([1, 2, 3]);
    waits.add(new RoutedTable('other'), 130, 100, () => done.push(4));
    expect(done).to.deep.equal([1, 2, 3]);
  });
});
