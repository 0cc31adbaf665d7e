namespace Engram.Cli.Doctor;

/// <summary>How a check went.</summary>
internal enum CheckStatus
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Engram works, but less well, or a part of it does not.</summary>
    Warning,

    /// <summary>Engram cannot work.</summary>
    Failed,
}

/// <summary>One thing the doctor looked at.</summary>
/// <param name="Name">What was looked at.</param>
/// <param name="Status">How it went.</param>
/// <param name="Value">What was found.</param>
/// <param name="Remedy">What to do, where something is missing.</param>
internal sealed record Check(string Name, CheckStatus Status, string Value, string? Remedy = null)
{
    /// <summary>Carries out a check; a check that itself fails is a finding, not the end.</summary>
    public static Check Of(string name, string remedy, Func<Check> look)
    {
        try
        {
            return look();
        }
#pragma warning disable CA1031 // Whatever goes wrong is what the doctor is there to tell.
        catch (Exception problem)
        {
            return new Check(name, CheckStatus.Failed, Innermost(problem), remedy);
        }
#pragma warning restore CA1031
    }

    private static string Innermost(Exception problem)
    {
        while (problem.InnerException is { } inner) problem = inner;
        return problem.Message.Split('\n')[0].Trim();
    }
}
