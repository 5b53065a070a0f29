// The checks themselves are checked: a sound contract passes each of them, and each finds what it is there to find.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildSchema } from 'graphql';
import { createHandler } from 'graphql-http/lib/use/http';
import { codegenTypes } from './checks/codegen.js';
import { breakingChanges } from './checks/compatibility.js';
import { withoutBuiltInDirectives } from './checks/contract.js';
import { coverage } from './checks/coverage.js';
import { eslint } from './checks/eslint.js';
import { relay } from './checks/relay.js';
import { schemaLinter } from './checks/schema_linter.js';

const exported = `"""
Anything with a global id.
"""
interface Node {
	"""
	Opaque.
	"""
	id: ID!
}

"""
A page of books.
"""
type BookConnection {
	"""
	What the page holds.
	"""
	edges: [BookEdge!]!
	"""
	Where it stands.
	"""
	pageInfo: PageInfo!
}

"""
A book in a page.
"""
type BookEdge {
	"""
	Its position.
	"""
	cursor: String!
	"""
	The book.
	"""
	node: Book!
}

"""
Something to read.
"""
type Book implements Node {
	"""
	Opaque.
	"""
	id: ID!
	"""
	What it is called.
	"""
	title: String! @deprecated(reason: "Use id.")
}

"""
One way to name a book.
"""
input BookLookup @oneOf {
	"""
	By id.
	"""
	id: ID
	"""
	By title.
	"""
	title: String
}

"""
Input of bookAdd.
"""
input BookAddInput {
	"""
	What it is called.
	"""
	title: String!
}

"""
Result of bookAdd.
"""
type BookAddPayload {
	"""
	The book.
	"""
	book: Book
}

"""
Where a page stands.
"""
type PageInfo {
	"""
	More before.
	"""
	hasPreviousPage: Boolean!
	"""
	More after.
	"""
	hasNextPage: Boolean!
	"""
	First.
	"""
	startCursor: String
	"""
	Last.
	"""
	endCursor: String
}

"""
Reading.
"""
type Query {
	"""
	Anything.
	"""
	node(
		"""
		Which.
		"""
		id: ID!
	): Node
	"""
	One book.
	"""
	book(
		"""
		Which.
		"""
		by: BookLookup!
	): Book
	"""
	All books.
	"""
	books(
		"""
		Page size.
		"""
		first: Int,
		"""
		Position.
		"""
		after: String,
		"""
		Page size.
		"""
		last: Int,
		"""
		Position.
		"""
		before: String
	): BookConnection
}

"""
Writing.
"""
type Mutation {
	"""
	Adds a book.
	"""
	bookAdd(
		"""
		What.
		"""
		input: BookAddInput!
	): BookAddPayload
}

directive @deprecated(reason: String = "No longer supported") on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE
"""
Includes when true.
"""
directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @oneOf on INPUT_OBJECT
directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @specifiedBy(url: String!) on SCALAR
schema {
	query: Query
	mutation: Mutation
}
`;

const sound = withoutBuiltInDirectives(exported);

const operations = [
  {
    name: 'Books',
    text: `
      fragment Books_page on Query @refetchable(queryName: "BooksPaginationQuery") {
        books(first: $first, after: $after) @connection(key: "Books_books") {
          edges { cursor node { title } }
          pageInfo { hasNextPage endCursor }
        }
      }
      query BooksQuery($first: Int, $after: String) { ...Books_page }
      mutation BooksAddMutation($input: BookAddInput!) { bookAdd(input: $input) { book { title } } }
    `,
  },
];

/** The sound schema with one thing wrong; fails when there is nothing to replace, lest a control lose its point. */
function broken(good, bad) {
  assert.ok(sound.includes(good), `the schema no longer says ${good}`);
  return sound.replaceAll(good, bad);
}

function only(findings, expected) {
  assert.equal(findings.length, 1, findings.join('\n'));
  assert.match(findings[0], expected);
}

test('a sound schema, as the exporter prints it, has no findings', async () => {
  for (const check of [eslint, schemaLinter, relay, codegenTypes, coverage]) {
    assert.deepEqual(await check(sound, operations), [], check.name);
  }
});

test('blanking the built-in directives moves no line', () => {
  assert.equal(sound.split('\n').length, exported.split('\n').length);
  assert.doesNotMatch(sound, /directive @/);
});

test('graphql-eslint finds each breach of its rules', async () => {
  const breaches = [
    ['require-description', '"""\nSomething to read.\n"""\n', ''],
    ['strict-id-in-types', 'BookAddPayload', 'BookAdded'],
    ['naming-convention', 'BookLookup', 'bookLookup'],
    ['no-unreachable-types', ': BookAddPayload', ': Book'],
    ['relay-arguments', 'first: Int,', 'first: String,'],
    ['relay-connection-types', 'pageInfo: PageInfo!', 'pageInfo: PageInfo'],
    ['relay-edge-types', 'cursor: String!', 'cursor: Book!'],
    ['relay-page-info', 'endCursor: String', 'endCursor: Book'],
    ['input-name', 'input: BookAddInput!', 'args: BookAddInput!'],
    ['no-scalar-result-type-on-mutation', '): BookAddPayload', '): Boolean'],
    ['require-nullable-result-in-root', '): Node', '): Node!'],
    ['require-nullable-fields-with-oneof', '\tid: ID\n', '\tid: ID!\n'],
  ];
  for (const [rule, good, bad] of breaches) {
    const findings = await eslint(broken(good, bad));
    assert.ok(
      findings.some((finding) => finding.includes(`/${rule})`)),
      `${rule}: ${findings.join('\n')}`,
    );
  }
});

test('graphql-schema-linter finds a field without a description', async () => {
  const silent = broken('"""\n\tWhat it is called.\n\t"""\n\ttitle: String! @', 'title: String! @');
  only(await schemaLinter(silent), /Book\.title.*fields-have-descriptions/);
});

test('graphql-schema-linter reports a text that is no schema', async () => {
  assert.notEqual((await schemaLinter('type Query {')).length, 0);
});

test('relay-compiler finds an operation the schema cannot answer', async () => {
  only(await relay(broken('	books(', '	novels('), operations), /books/);
});

test('relay-compiler finds a connection it cannot page', async () => {
  only(await relay(broken('	cursor: String!', '	position: String!'), operations), /cursor/);
});

test('graphql-codegen finds a scalar nobody mapped', async () => {
  const findings = await codegenTypes(`${sound}\n"""An isbn."""\nscalar Isbn\nextend type Book { isbn: Isbn }`, operations);
  assert.match(findings.join('\n'), /Isbn/);
});

test('a mutation or connection that no operation reaches is found', async () => {
  const unreached = operations.map(({ name, text }) => ({
    name,
    text: text.replace('{ ...Books_page }', '{ node(id: $after) { id } }').replace(/mutation .*/, ''),
  }));
  assert.deepEqual(await coverage(sound, unreached), [
    'Query.books is in no sample operation',
    'Mutation.bookAdd is in no sample operation',
  ]);
});

test('a removed field breaks clients and an added one does not', async () => {
  const grown = `${sound}\nextend type Book { pages: Int }`;
  assert.deepEqual(await breakingChanges(sound, grown), []);
  only(await breakingChanges(grown, sound), /pages/);
});

test('the audit passes a conforming endpoint and fails any other', async () => {
  const conforming = createHandler({ schema: buildSchema(exported) });
  const deaf = (_, response) => response.end('hello');
  assert.deepEqual(await audited(conforming), { status: 0, last: '61 of 61 audits passed' });
  assert.equal((await audited(deaf)).status, 1);
});

async function audited(handler) {
  const server = createServer(handler);
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  try {
    const url = `http://127.0.0.1:${server.address().port}/graphql`;
    const run = spawn(process.execPath, [join(import.meta.dirname, 'audit.js'), url]);
    let output = '';
    run.stdout.on('data', (chunk) => (output += chunk));
    const status = await new Promise((ended) => run.on('close', ended));
    return { status, last: output.trim().split('\n').at(-1) };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
