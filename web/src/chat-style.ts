// Web Chat's look: its own options, fed with the page's colours, so that dark and light follow by themselves.

const edge = 'var(--line)';

export const chatStyle = {
  primaryFont: 'var(--font)',
  monospaceFont: 'var(--mono)',
  accent: 'var(--accent)',
  subtle: 'var(--muted)',
  backgroundColor: 'transparent',
  paddingRegular: 10,
  rootHeight: '100%',
  rootWidth: '100%',

  bubbleBackground: 'var(--bot)',
  bubbleBorderColor: 'transparent',
  bubbleTextColor: 'var(--ink)',
  bubbleBorderRadius: 14,
  bubbleFromUserBackground: 'var(--user)',
  bubbleFromUserBorderColor: 'transparent',
  bubbleFromUserTextColor: 'var(--user-ink)',
  bubbleFromUserBorderRadius: 14,
  bubbleMinHeight: 36,
  bubbleMinWidth: 0,
  bubbleMaxWidth: 520,
  messageActivityWordBreak: 'break-word' as const,
  groupTimestamp: 60_000,
  // `done <number>` is meant as it stands.
  markdownRenderHTML: false,
  timestampColor: 'var(--muted)',

  sendBoxBackground: 'transparent',
  sendBoxTextColor: 'var(--ink)',
  sendBoxPlaceholderColor: 'var(--muted)',
  sendBoxBorderTop: `solid 1px ${edge}`,
  sendBoxHeight: 46,
  sendBoxButtonColor: 'var(--accent)',
  sendBoxButtonColorOnHover: 'var(--accent)',
  sendBoxButtonColorOnDisabled: 'var(--muted)',
  sendBoxButtonShadeColorOnHover: 'var(--sunken)',
  sendBoxButtonShadeColorOnActive: 'var(--line)',
  sendBoxButtonShadeColorOnDisabled: 'transparent',
  sendBoxButtonShadeBorderRadius: 8,
  sendBoxButtonShadeInset: 5,
  sendBoxButtonKeyboardFocusIndicatorBorderColor: 'var(--focus)',
  sendBoxButtonKeyboardFocusIndicatorBorderRadius: 8,
  sendBoxButtonKeyboardFocusIndicatorBorderWidth: 2,
  sendBoxButtonKeyboardFocusIndicatorInset: 4,
  // The whole picture is shown instead (own-pictures.ts).
  enableUploadThumbnail: false,

  cardPushButtonBackgroundColor: 'var(--accent)',
  cardPushButtonTextColor: 'var(--accent-ink)',
  cardEmphasisBackgroundColor: 'var(--sunken)',

  suggestedActionBackgroundColor: 'var(--surface)',
  suggestedActionTextColor: 'var(--accent)',
  suggestedActionBorderColor: edge,
  suggestedActionBorderRadius: 8,
  suggestedActionBorderWidth: 1,
  suggestedActionLayout: 'flow' as const,

  transcriptVisualKeyboardIndicatorColor: 'var(--focus)',
  transcriptActivityVisualKeyboardIndicatorColor: 'var(--focus)',
  transcriptActivityVisualKeyboardIndicatorStyle: 'solid',
  transcriptOverlayButtonBackground: 'var(--accent)',
  transcriptOverlayButtonBackgroundOnHover: 'var(--accent)',
  transcriptOverlayButtonBackgroundOnFocus: 'var(--accent)',
  transcriptOverlayButtonColor: 'var(--accent-ink)'
};

export const chatStrings = { TEXT_INPUT_PLACEHOLDER: 'Type run, show or done 1' };
