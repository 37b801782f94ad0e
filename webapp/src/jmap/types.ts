// The words of JMAP (RFC 8620) and of JMAP Mail (RFC 8621), as far as this application speaks them. No code.

export type Id = string;
export type UTCDate = string;
export type State = string;

export const CORE = 'urn:ietf:params:jmap:core';
export const MAIL = 'urn:ietf:params:jmap:mail';
/** Emails made ready to be shown (docs/jmap.md). */
export const VIEW = 'https://congvu.example/jmap/view';
export const SUBMISSION = 'urn:ietf:params:jmap:submission';
export const VACATION = 'urn:ietf:params:jmap:vacationresponse';

/** What the server allows (RFC 8620 §2). */
export interface CoreCapability {
  maxSizeUpload: number;
  maxConcurrentUpload: number;
  maxSizeRequest: number;
  maxConcurrentRequests: number;
  maxCallsInRequest: number;
  maxObjectsInGet: number;
  maxObjectsInSet: number;
  collationAlgorithms: string[];
}

export interface Account {
  name: string;
  isPersonal: boolean;
  isReadOnly: boolean;
  accountCapabilities: Record<string, unknown>;
}

/** The session resource (RFC 8620 §2). */
export interface Session {
  capabilities: Record<string, unknown>;
  accounts: Record<Id, Account>;
  primaryAccounts: Record<string, Id>;
  username: string;
  apiUrl: string;
  downloadUrl: string;
  uploadUrl: string;
  eventSourceUrl: string;
  state: State;
}

export type Arguments = Record<string, unknown>;
export type Invocation = [name: string, args: Arguments, id: string];

/** A value of an earlier call of the same request (RFC 8620 §3.7). */
export interface ResultReference {
  resultOf: string;
  name: string;
  path: string;
}

export interface Response {
  methodResponses: Invocation[];
  sessionState: State;
  createdIds?: Record<Id, Id>;
}

export interface GetResponse<T> {
  accountId: Id;
  state: State;
  list: T[];
  notFound: Id[];
}

export interface ChangesResponse {
  accountId: Id;
  oldState: State;
  newState: State;
  hasMoreChanges: boolean;
  created: Id[];
  updated: Id[];
  destroyed: Id[];
  /** Of Mailbox/changes: only these properties changed (RFC 8621 §2.2). */
  updatedProperties?: string[] | null;
}

/** Why one object was not changed (RFC 8620 §5.3). `citation` names the article, where a rule forbade it. */
export interface SetError {
  type: string;
  description?: string | null;
  properties?: string[] | null;
  [extra: string]: unknown;
}

export interface SetResponse<T> {
  accountId: Id;
  oldState: State | null;
  newState: State;
  created: Record<Id, Partial<T>> | null;
  updated: Record<Id, Partial<T> | null> | null;
  destroyed: Id[] | null;
  notCreated: Record<Id, SetError> | null;
  notUpdated: Record<Id, SetError> | null;
  notDestroyed: Record<Id, SetError> | null;
}

export interface QueryResponse {
  accountId: Id;
  queryState: State;
  canCalculateChanges: boolean;
  position: number;
  ids: Id[];
  total?: number;
  limit?: number;
}

export type Role = 'inbox' | 'archive' | 'drafts' | 'sent' | 'junk' | 'trash' | 'all' | 'flagged' | 'important';

export interface MailboxRights {
  mayReadItems: boolean;
  mayAddItems: boolean;
  mayRemoveItems: boolean;
  maySetSeen: boolean;
  maySetKeywords: boolean;
  mayCreateChild: boolean;
  mayRename: boolean;
  mayDelete: boolean;
  maySubmit: boolean;
}

/** A folder (RFC 8621 §2). */
export interface Mailbox {
  id: Id;
  name: string;
  parentId: Id | null;
  role: string | null;
  sortOrder: number;
  totalEmails: number;
  unreadEmails: number;
  totalThreads: number;
  unreadThreads: number;
  myRights: MailboxRights;
  isSubscribed: boolean;
}

export interface Thread {
  id: Id;
  emailIds: Id[];
}

export interface EmailAddress {
  name: string | null;
  email: string;
}

export interface BodyPart {
  partId: string | null;
  blobId: Id | null;
  size: number;
  name: string | null;
  type: string;
  charset?: string | null;
  disposition: string | null;
  cid: string | null;
  language?: string[] | null;
  location?: string | null;
  subParts?: BodyPart[] | null;
}

export interface BodyValue {
  value: string;
  isEncodingProblem: boolean;
  isTruncated: boolean;
}

/** An email as a list shows it (RFC 8621 §4). */
export interface EmailRow {
  id: Id;
  threadId: Id;
  mailboxIds: Record<Id, boolean>;
  keywords: Record<string, boolean>;
  receivedAt: UTCDate;
  size: number;
  hasAttachment: boolean;
  subject: string | null;
  from: EmailAddress[] | null;
  to: EmailAddress[] | null;
  preview: string;
}

/** An email as the reader shows it. */
export interface Email extends EmailRow {
  blobId: Id;
  messageId: string[] | null;
  inReplyTo: string[] | null;
  references: string[] | null;
  sentAt: string | null;
  sender: EmailAddress[] | null;
  cc: EmailAddress[] | null;
  bcc: EmailAddress[] | null;
  replyTo: EmailAddress[] | null;
  textBody: BodyPart[];
  htmlBody: BodyPart[];
  attachments: BodyPart[];
  bodyValues: Record<string, BodyValue>;
}

/** A condition of Email/query (RFC 8621 §4.4.1). */
export interface EmailCondition {
  inMailbox?: Id;
  inMailboxOtherThan?: Id[];
  before?: UTCDate;
  after?: UTCDate;
  minSize?: number;
  maxSize?: number;
  allInThreadHaveKeyword?: string;
  someInThreadHaveKeyword?: string;
  noneInThreadHaveKeyword?: string;
  hasKeyword?: string;
  notKeyword?: string;
  hasAttachment?: boolean;
  text?: string;
  from?: string;
  to?: string;
  cc?: string;
  bcc?: string;
  subject?: string;
  body?: string;
  header?: string[];
}

export interface FilterOperator {
  operator: 'AND' | 'OR' | 'NOT';
  conditions: EmailFilter[];
}

export type EmailFilter = EmailCondition | FilterOperator;

export interface Comparator {
  property: string;
  isAscending?: boolean;
  keyword?: string;
}

/** What of an email matched, marked with <mark> (RFC 8621 §5). */
export interface SearchSnippet {
  emailId: Id;
  subject: string | null;
  preview: string | null;
}

/** Which types changed in which accounts (RFC 8620 §7.1). */
export interface StateChange {
  '@type': 'StateChange';
  changed: Record<Id, Record<string, State>>;
}

/** What is attached, as its bytes say (docs/jmap.md). */
export interface AttachmentView {
  partId: string | null;
  blobId: Id | null;
  name: string | null;
  /** What it is: by its bytes where they tell, else as it was declared. */
  type: string;
  declaredType: string;
  detectedType: string | null;
  size: number;
  cid: string | null;
  /** Whether it can run a program. */
  isDangerous: boolean;
  /** Whether the HTML shows it in its place. */
  isShown: boolean;
}

/** An email made ready to be shown (docs/jmap.md). */
export interface EmailView {
  id: Id;
  /** Without scripts; pictures that the message brings are within it. */
  html: string | null;
  /** Whether something of another host was meant to be loaded. */
  hadRemote: boolean;
  text: string;
  textIsFromHtml: boolean;
  isTruncated: boolean;
  attachments: AttachmentView[];
}

export interface UploadResponse {
  accountId: Id;
  blobId: Id;
  type: string;
  size: number;
}

/** As whom an account sends (RFC 8621 §6). */
export interface Identity {
  id: Id;
  name: string;
  email: string;
  replyTo: EmailAddress[] | null;
  bcc: EmailAddress[] | null;
  textSignature: string;
  htmlSignature: string;
  mayDelete: boolean;
}

/** The automatic answer (RFC 8621 §8). */
export interface VacationResponse {
  id: Id;
  isEnabled: boolean;
  fromDate: UTCDate | null;
  toDate: UTCDate | null;
  subject: string | null;
  textBody: string | null;
  htmlBody: string | null;
}
