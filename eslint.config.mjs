import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/** What a folder may not import; the layout's rules (CONTRIBUTING, "The rooms"). */
const forbid = (files, ...groups) => ({
  files,
  rules: {
    'no-restricted-imports': 'off',
    '@typescript-eslint/no-restricted-imports': ['error', { patterns: groups }],
  },
});
const noVscode = { group: ['vscode'], message: 'Only extension/ may import vscode.' };
const noNode = {
  regex: '^node:|^(fs|path|os|child_process|net|crypto)$',
  message: 'The webview runs in a browser frame.',
};
const typesOnly = (regex, message) => ({ regex, allowTypeImports: true, message });
const noReachAcross = (regex, message) => ({ regex, message });

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'coverage', '.vscode-test'] },
  eslint.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.mjs', '*.mts'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unnecessary-condition': 'error',
      // A missing array element is caught by noUncheckedIndexedAccess; the assertion marks an index that is known to be in range.
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'No default exports: a name is found by search.' },
        { selector: 'ExportAllDeclaration', message: 'No barrel files: import from the file that holds the thing.' },
      ],
      'no-console': 'error',
      eqeqeq: ['error', 'always'],
    },
  },
  { files: ['*.mjs', '*.config.mts', 'test/**/*.mjs'], ...tseslint.configs.disableTypeChecked },
  {
    files: ['*.mjs', '*.config.mts', 'test/**/*.mjs'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
    rules: { ...tseslint.configs.disableTypeChecked.rules, 'no-console': 'off', 'no-restricted-syntax': 'off' },
  },
  forbid(
    ['server/**/*.ts'],
    noVscode,
    noReachAcross('(^|/)(extension|webview)/', 'server/ knows neither the editor nor the panel.'),
  ),
  forbid(
    ['extension/**/*.ts'],
    typesOnly('/server/(?!protocol/)', 'extension/ talks to the server through server/protocol.'),
    typesOnly('/server/protocol/', 'extension/ imports only types from server/protocol.'),
    typesOnly('/webview/', 'extension/ imports only types from webview/messages.'),
  ),
  forbid(
    ['webview/**/*.ts'],
    noVscode,
    noNode,
    noReachAcross('/extension/', 'webview/ does not know the extension host.'),
    typesOnly('/server/', 'webview/ imports only types from server/protocol.'),
  ),
);
