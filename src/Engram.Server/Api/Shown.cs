namespace Engram.Server.Api;

/// <summary>What callers sent, as far as it is shown to them again.</summary>
internal static class Shown
{
    private const int Most = 100;

    /// <summary>A text, shortened, without control characters.</summary>
    public static string Text(string text)
    {
        var start = Cut(text, Most);
        return start.Any(IsUnfit) ? string.Concat(start.Select(c => IsUnfit(c) ? '?' : c)) : start;
    }

    /// <summary>The start of a text, and three dots where it is longer; no surrogate pair is split.</summary>
    /// <param name="text">The text.</param>
    /// <param name="most">Characters that are kept.</param>
    public static string Cut(string text, int most) => text.Length <= most
        ? text
        : string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[most - 1]) ? most - 1 : most), "...");

    // Half a surrogate pair cannot be written as UTF-8.
    private static bool IsUnfit(char c) => char.IsControl(c) || char.IsSurrogate(c);
}
