// The rich text editor: TipTap with what official letters use. Loaded when the first letter is opened.
import { Editor, Node } from '@tiptap/core';
import Blockquote from '@tiptap/extension-blockquote';
import Bold from '@tiptap/extension-bold';
import Document from '@tiptap/extension-document';
import HardBreak from '@tiptap/extension-hard-break';
import Heading from '@tiptap/extension-heading';
import Italic from '@tiptap/extension-italic';
import Link from '@tiptap/extension-link';
import { BulletList, ListItem, ListKeymap, OrderedList } from '@tiptap/extension-list';
import Paragraph from '@tiptap/extension-paragraph';
import Strike from '@tiptap/extension-strike';
import { TableKit } from '@tiptap/extension-table';
import Text from '@tiptap/extension-text';
import Underline from '@tiptap/extension-underline';
import { Dropcursor, Gapcursor, Placeholder, UndoRedo } from '@tiptap/extensions';
import { DOMSerializer } from '@tiptap/pm/model';
import { parsed } from './html';

export type { Editor };

export interface Options {
  element: HTMLElement;
  content: string;
  label: string;
  placeholder: string;
  /** Where the picture with a content id can be seen. */
  picture: (cid: string) => string | undefined;
  changed: () => void;
  /** Called after each step, for the buttons above. */
  moved: () => void;
  /** Pictures from the clipboard; files that are none are attached by whoever holds the letter. */
  files: (files: File[]) => void;
}

/** A picture of the letter itself. Pictures from elsewhere are not taken in: a recipient's program would fetch them. */
const Picture = Node.create<{ picture: Options['picture'] }>({
  name: 'picture',
  group: 'inline',
  inline: true,
  draggable: true,
  addOptions: () => ({ picture: () => undefined }),
  addAttributes: () => ({ cid: { default: '' }, alt: { default: '' } }),
  parseHTML: () => [
    { tag: 'img[src^="cid:"]', getAttrs: (element) => ({ cid: element.getAttribute('src')?.slice(4) ?? '', alt: element.getAttribute('alt') ?? '' }) },
  ],
  renderHTML: ({ node }) => ['img', { src: `cid:${String(node.attrs['cid'])}`, alt: String(node.attrs['alt']) }],
  addNodeView() {
    const { picture } = this.options;
    return ({ node }) => {
      const dom = globalThis.document.createElement('img');
      dom.alt = String(node.attrs['alt']);
      const url = picture(String(node.attrs['cid']));
      if (url) dom.src = url;
      return { dom };
    };
  },
});

/** Opens an editor in an element. */
export function openEditor({ element, content, label, placeholder, picture, changed, moved, files }: Options): Editor {
  return new Editor({
    element,
    content: unstyled(content),
    injectCSS: false,
    extensions: [
      Document, Paragraph, Text, Bold, Italic, Underline, Strike, HardBreak, Blockquote, BulletList, OrderedList, ListItem, ListKeymap,
      Heading.configure({ levels: [2, 3] }),
      Link.configure({ openOnClick: false, autolink: true, defaultProtocol: 'https', HTMLAttributes: { target: null, rel: null } }),
      TableKit.configure({ table: { resizable: false } }),
      Picture.configure({ picture }),
      Placeholder.configure({ placeholder }), UndoRedo, Gapcursor, Dropcursor.configure({ color: false, class: 'drop' }),
    ],
    editorProps: {
      attributes: { 'aria-label': label, 'aria-multiline': 'true', role: 'textbox' },
      // The composer's own keys: not a line break within the text.
      handleKeyDown: (_view, event) => event.key === 'Enter' && (event.ctrlKey || event.metaKey),
      transformPastedHTML: unstyled,
      handlePaste: (_view, event) => {
        const pasted = [...(event.clipboardData?.files ?? [])];
        // Word and Excel put a picture of the text beside the text itself.
        if (pasted.length === 0 || event.clipboardData?.types.includes('text/html')) return false;
        files(pasted);
        return true;
      },
      // Files that are dropped belong to the letter, which the window takes care of.
      handleDrop: (_view, event) => (event.dataTransfer?.files.length ?? 0) > 0,
    },
    onUpdate: changed,
    onTransaction: moved,
  });
}

/** The styles that a message carries say nothing to the editor, and the page's policy complains of them. */
function unstyled(html: string): string {
  return parsed(html).innerHTML;
}

/** What the editor holds, made in a document that fetches nothing. */
export function htmlOf(editor: Editor): string {
  const aside = globalThis.document.implementation.createHTMLDocument('');
  const box = aside.createElement('div');
  const serializer = DOMSerializer.fromSchema(editor.schema);
  box.append(serializer.serializeFragment(editor.state.doc.content, { document: aside }));
  return box.innerHTML;
}

/** Puts a picture where the cursor is. */
export function insertPicture(editor: Editor, cid: string, alt: string): void {
  editor.chain().focus().insertContent({ type: 'picture', attrs: { cid, alt } }).run();
}
