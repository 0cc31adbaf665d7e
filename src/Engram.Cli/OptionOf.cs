using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Engram.Cli;

/// <summary>Options whose errors name the option, the value and what was expected.</summary>
internal static class OptionOf
{
    /// <summary>A whole number in a range.</summary>
    public static Option<long> Number(string name, string description, long fallback, long least, long most)
    {
        var expected = most == long.MaxValue ? $"a whole number, {least} or more" : $"a whole number from {least} to {most}";
        return new Option<long>(name)
        {
            Description = description,
            HelpName = "N",
            DefaultValueFactory = _ => fallback,
            CustomParser = result => Parse(result, name, expected, least, most),
        };
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
