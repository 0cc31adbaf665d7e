using System.Globalization;

namespace Engram.Server.Inputs;

/// <summary>Hashes of the n-grams of a text, the same on every machine and for ever.</summary>
/// <param name="text">The text; upper and lower case are one.</param>
/// <param name="words">Longest n-gram of words; 0 for none.</param>
/// <param name="characters">Longest n-gram of characters; 0 for none.</param>
/// <remarks>
/// A word is a run of letters, marks and digits. Its n-grams of characters begin at 3 and see where it begins and ends. Han, kana and
/// other scripts without spaces have runs instead of words; their n-grams begin at 1, and no n-gram of words goes over them. The hash is
/// FNV-1a over UTF-16 code units in 64 bits, finished by the mixer of MurmurHash3; kinds of n-gram begin at different values.
/// </remarks>
internal sealed class TextNgrams(string text, int words, int characters)
{
    private const ulong Basis = 14695981039346656037;
    private const ulong Prime = 1099511628211;
    private readonly string _text = text.ToLowerInvariant();
    private readonly List<ulong> _found = [];
    private readonly List<ulong> _recent = []; // hashes of the words just read

    /// <summary>All of them, with repeats.</summary>
    public List<ulong> All()
    {
        for (var at = 0; at < _text.Length;)
        {
            if (!IsInWord(_text[at]))
            {
                at++;
                continue;
            }
            var (start, spaceless) = (at, IsSpaceless(_text[at]));
            while (at < _text.Length && IsInWord(_text[at]) && IsSpaceless(_text[at]) == spaceless) at++;
            if (spaceless) Run(_text.AsSpan(start, at - start));
            else Word(_text.AsSpan(start, at - start));
        }
        return _found;
    }

    private void Word(ReadOnlySpan<char> word)
    {
        var hash = Basis;
        foreach (var letter in word) hash = (hash ^ letter) * Prime;
        _recent.Add(hash);
        var ngram = Basis + 1;
        for (var n = 1; n <= words && n <= _recent.Count; n++)
        {
            ngram = (ngram ^ _recent[^n]) * Prime;
            _found.Add(Mixed(ngram));
        }
        if (characters < 3) return;
        for (var start = -1; start <= word.Length - 2; start++)
        {
            var piece = Basis + 2;
            for (var n = 1; n <= characters && start + n <= word.Length + 1; n++)
            {
                var place = start + n - 1;
                piece = (piece ^ (place < 0 ? '\u0002' : place == word.Length ? '\u0003' : word[place])) * Prime;
                if (n >= 3) _found.Add(Mixed(piece));
            }
        }
    }

    private void Run(ReadOnlySpan<char> run)
    {
        _recent.Clear();
        for (var start = 0; start < run.Length; start++)
        {
            var piece = Basis + 3;
            for (var n = 1; n <= Math.Max(characters, 1) && start + n <= run.Length; n++)
            {
                piece = (piece ^ run[start + n - 1]) * Prime;
                _found.Add(Mixed(piece));
            }
        }
    }

    private static bool IsInWord(char letter) =>
        char.IsLetterOrDigit(letter) || char.IsSurrogate(letter)
        || char.GetUnicodeCategory(letter) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    // Han (with its extensions, which are surrogates here), kana, Thai, Lao, Khmer, Burmese.
    private static bool IsSpaceless(char letter) => letter is
        (>= '\u2E80' and <= '\u2FDF') or (>= '\u3005' and <= '\u3007') or (>= '\u3040' and <= '\u30FF') or (>= '\u31F0' and <= '\u31FF')
        or (>= '\u3400' and <= '\u9FFF') or (>= '\uF900' and <= '\uFAFF') or (>= '\uD800' and <= '\uDFFF')
        or (>= '\u0E00' and <= '\u0EFF') or (>= '\u1000' and <= '\u109F') or (>= '\u1780' and <= '\u17FF');

    private static ulong Mixed(ulong hash)
    {
        hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
        hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
        return hash ^ (hash >> 33);
    }
}
