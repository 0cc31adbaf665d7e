using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Engram.Cli;

/// <summary>Options whose errors name the option, the value and what was expected.</summary>
internal static class OptionOf
{
    /// <summary>A whole number in a range.</summary>
    /// <param name="name">With its dashes.</param>
    /// <param name="description">For the help.</param>
    /// <param name="fallback">Used when the option is not given; null for none.</param>
    /// <param name="least">Least value.</param>
    /// <param name="most">Greatest value.</param>
    public static Option<long> Number(string name, string description, long? fallback, long least, long most)
    {
        var expected = most == long.MaxValue ? $"a whole number, {least} or more" : $"a whole number from {least} to {most}";
        var option = new Option<long>(name)
        {
            Description = description,
            HelpName = "N",
            CustomParser = result => Parse(result, name, expected, least, most),
        };
        if (fallback is { } value) option.DefaultValueFactory = _ => value;
        return option;
    }

    /// <summary>A text, such as a folder or names.</summary>
    public static Option<string?> Text(string name, string description, string what) =>
        new(name) { Description = description, HelpName = what };

    /// <summary>A switch.</summary>
    public static Option<bool> Switch(string name, string description) => new(name) { Description = description };

    private static long Parse(ArgumentResult result, string name, string expected, long least, long most)
    {
        var text = result.Tokens[0].Value;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number >= least && number <= most)
            return number;
        result.AddError($"{name}: \"{text}\", expected {expected}");
        return 0;
    }
}
