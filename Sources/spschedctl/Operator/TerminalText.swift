extension String {
    /// Its beginning, with an ellipsis if something is left off.
    func cut(to width: Int) -> String { count <= width ? self : String(prefix(max(width - 1, 0))) + "…" }
}
