/// The colours of lines and bars. Readers who see fewer colours can tell the first six apart (after Okabe and Ito), on
/// light and on dark.
public enum Hue: String, CaseIterable, Sendable {
    case orange, amber, blue, green, purple, red, grey

    var onLight: String {
        switch self {
        case .orange: "#c4500a"
        case .amber: "#a0740a"
        case .blue: "#0068b0"
        case .green: "#00775a"
        case .purple: "#8a4b9e"
        case .red: "#b3263a"
        case .grey: "#6b7580"
        }
    }

    var onDark: String {
        switch self {
        case .orange: "#ff8a4c"
        case .amber: "#f0bc4e"
        case .blue: "#62b6f7"
        case .green: "#4fc9a4"
        case .purple: "#d09be0"
        case .red: "#ff7f8e"
        case .grey: "#9aa4ae"
        }
    }
}
