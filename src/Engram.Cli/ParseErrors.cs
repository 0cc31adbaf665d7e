using System.CommandLine;
using System.CommandLine.Parsing;

namespace Engram.Cli;

/// <summary>Says in one line what is wrong with a command line: the field, the value, what was expected.</summary>
internal static class ParseErrors
{
    public static string Explain(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var path = PathOf(parsed.CommandResult);
        if (parsed.UnmatchedTokens is [var token, ..])
        {
            if (token.StartsWith('-'))
                return $"option: \"{token}\" is unknown, expected one of {Options(parsed.CommandResult)} "
                    + $"(see: {path} --help)";
            return command.Subcommands.Any(subcommand => !subcommand.Hidden)
                ? $"{NameOf(command)}: \"{token}\" is unknown, expected one of {Subcommands(command)}"
                : $"{Before(parsed, token)}: \"{token}\" has no meaning here, expected options only (see: {path} --help)";
        }
        foreach (var error in parsed.Errors)
        {
            if (error.SymbolResult is OptionResult { Implicit: false, Tokens.Count: 0 } option)
                return $"{option.Option.Name}: no value, expected {option.Option.HelpName}: {option.Option.Description?.TrimEnd('.')}";
            if (error.SymbolResult is ArgumentResult { Tokens.Count: 0, Argument: { HelpName: { } missing } argument })
                return $"{missing}: missing, expected {argument.Description?.TrimEnd('.')} (see: {path} --help)";
            if (error.SymbolResult is OptionResult { Tokens.Count: > 1 } twice)
                return $"{twice.Option.Name}: {twice.Tokens.Count} values "
                    + $"({string.Join(", ", twice.Tokens.Select(value => $"\"{value.Value}\""))}), expected one";
        }
        return command.Subcommands.Any(subcommand => !subcommand.Hidden)
            ? $"{NameOf(command)}: nothing chosen, expected one of {Subcommands(command)}"
            : parsed.Errors[0].Message;
    }

    // A value given to a switch is told by the switch.
    private static string Before(ParseResult parsed, string token)
    {
        var place = parsed.Tokens.Select(given => given.Value).ToList().IndexOf(token);
        return place > 0 && parsed.Tokens[place - 1] is { Type: TokenType.Option } option ? option.Value : "argument";
    }

    private static string NameOf(Command command) => command is RootCommand ? "command" : command.Name;

    private static string Subcommands(Command command) =>
        string.Join(", ", command.Subcommands.Where(subcommand => !subcommand.Hidden).Select(subcommand => subcommand.Name));

    private static string Options(CommandResult result)
    {
        var own = result.Command.Options.AsEnumerable();
        for (var parent = result.Parent as CommandResult; parent is not null; parent = parent.Parent as CommandResult)
            own = own.Concat(parent.Command.Options.Where(option => option.Recursive));
        return string.Join(", ", own.Where(option => !option.Hidden).Select(option => option.Name));
    }

    private static string PathOf(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : "engram";
}
