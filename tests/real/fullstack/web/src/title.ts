export function title(commit: string): string {
	return `dash of ${commit}`;
}
