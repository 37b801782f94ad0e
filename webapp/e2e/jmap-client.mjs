// A JMAP client that others wrote (jmap-jam) does a day's mail: RFC 8620, RFC 8621, and the review of a submission.
// ORIGIN is the server, PERSON who signs in, SHARED the address of the account under review; throws where the server differs.
import assert from 'node:assert/strict';
import JamClient from 'jmap-jam';

const { ORIGIN } = process.env;
const person = JSON.parse(process.env.PERSON);
const shared = JSON.parse(process.env.SHARED);

// It knows bearer tokens alone; here a person signs in by name and password (RFC 8620 §8.2 leaves the way to the server).
const basic = `Basic ${Buffer.from(`${person.username}:${person.password}`).toString('base64')}`;
const send = globalThis.fetch;
globalThis.fetch = (url, init) => send(url, { ...init, headers: { ...init?.headers, Authorization: basic } });

const jam = new JamClient({ sessionUrl: `${ORIGIN}/.well-known/jmap`, bearerToken: 'unused' });
const session = await jam.session;
const accountId = Object.entries(session.accounts).find(([, account]) => account.name === shared)?.[0];
assert.ok(accountId, `an account for ${shared}`);
assert.equal(session.accounts[accountId].isPersonal, false);

// Folders by their roles.
const [{ list: mailboxes }] = await jam.api.Mailbox.get({ accountId });
const role = (name) => mailboxes.find((mailbox) => mailbox.role === name).id;
assert.ok(role('inbox') && role('drafts') && role('sent') && role('trash'));

// A draft with an attachment.
const file = new Blob(['Kính gửi quý Sở,\nBáo cáo tuần 47.\n'], { type: 'text/plain' });
const uploaded = await jam.uploadBlob(accountId, file);
const [{ state }] = await jam.api.Email.get({ accountId, ids: [] });
const letter = {
  mailboxIds: { [role('drafts')]: true },
  keywords: { $draft: true, $seen: true },
  from: [{ name: 'Ban QLDA', email: shared }],
  to: [{ name: 'Sở Nội vụ', email: 'sonoivu@gov.example' }],
  subject: 'Báo cáo tuần 47 (jam)',
  bodyValues: { text: { value: 'Kính gửi quý Sở, báo cáo kèm theo.' } },
  textBody: [{ partId: 'text', type: 'text/plain' }],
  attachments: [{ blobId: uploaded.blobId, type: 'text/plain', name: 'báo cáo.txt', disposition: 'attachment' }],
};
const [made] = await jam.api.Email.set({ accountId, ifInState: state, create: { letter } });
assert.equal(made.notCreated ?? null, null, JSON.stringify(made.notCreated));
const { id, blobId } = made.created.letter;

// What a client asks in one go, each by what the one before gave.
const [found] = await jam.requestMany((t) => {
  const hits = t.Email.query({ accountId, filter: { inMailbox: role('drafts') }, sort: [{ property: 'receivedAt', isAscending: false }], limit: 10 });
  const emails = t.Email.get({
    accountId, ids: hits.$ref('/ids'), properties: ['subject', 'to', 'attachments', 'threadId', 'bodyValues', 'textBody', 'keywords'], fetchTextBodyValues: true,
  });
  const threads = t.Thread.get({ accountId, ids: emails.$ref('/list/*/threadId') });
  return { hits, emails, threads };
});
assert.ok(found.hits.ids.includes(id));
const email = found.emails.list.find((one) => one.id === id);
assert.equal(email.subject, letter.subject);
assert.deepEqual(email.to, letter.to);
assert.equal(email.attachments[0].name, 'báo cáo.txt');
assert.match(email.bodyValues[email.textBody[0].partId].value, /báo cáo kèm theo/);
assert.deepEqual(email.keywords, letter.keywords);
assert.ok(found.threads.list.some((thread) => thread.emailIds.includes(id)));
const raw = await (await jam.downloadBlob({ accountId, blobId, mimeType: 'message/rfc822', fileName: 'thu.eml' })).text();
assert.match(raw, /^MIME-Version: 1\.0\r$/mi);

// Marks, moves, what changed since.
const [{ newState: marked }] = await jam.api.Email.set({ accountId, update: { [id]: { 'keywords/$flagged': true, 'keywords/duan': true } } });
const [changes] = await jam.api.Email.changes({ accountId, sinceState: made.newState });
assert.deepEqual([changes.created, changes.updated, changes.destroyed, changes.newState], [[], [id], [], marked]);
const [{ notUpdated }] = await jam.api.Email.set({ accountId, update: { [id]: { subject: 'khác' } } });
assert.equal(notUpdated[id].type, 'invalidProperties');
await assert.rejects(jam.api.Email.set({ accountId, ifInState: state, update: {} }), (error) => error.type === 'stateMismatch');
await assert.rejects(jam.api.Email.get({ accountId: 'a1', ids: [] }), (error) => error.type === 'accountNotFound');

// Search: without accents, in the text too.
const [words] = await jam.api.Email.query({ accountId, filter: { text: 'bao cao kem theo' } });
assert.ok(words.ids.includes(id), 'found without accents');
const [{ list: snippets }] = await jam.api.SearchSnippet.get({ accountId, filter: { text: 'báo cáo' }, emailIds: [id] });
assert.match(snippets[0].subject, /<mark>/);

// Sending from an account under review waits for a decision, and can be taken back till then (S9.1, Điều 9).
const [{ list: identities }] = await jam.api.Identity.get({ accountId });
const submission = { emailId: id, identityId: identities[0].id };
const [sent] = await jam.api.EmailSubmission.set({ accountId, create: { submission } });
assert.equal(sent.notCreated ?? null, null, JSON.stringify(sent.notCreated));
const submissionId = sent.created.submission.id;
const [{ list: waiting }] = await jam.api.EmailSubmission.get({ accountId, ids: [submissionId] }, { using: ['https://congvu.example/jmap/review'] });
assert.equal(waiting[0].undoStatus, 'pending');
assert.equal(waiting[0].review.state, 'awaiting');
assert.equal(waiting[0].review.citation.text, 'Điều 9');
const [taken] = await jam.api.EmailSubmission.set({ accountId, update: { [submissionId]: { undoStatus: 'canceled' } } });
assert.ok(submissionId in taken.updated, JSON.stringify(taken.notUpdated));

// And away with it.
const [gone] = await jam.api.Email.set({ accountId, destroy: [id] });
assert.deepEqual(gone.destroyed, [id]);
const [{ notFound }] = await jam.api.Email.get({ accountId, ids: [id] });
assert.deepEqual(notFound, [id]);
process.stdout.write('done\n');
