using Engram.Data;
using Engram.Streams;

namespace Engram.Retention;

/// <summary>What only the experience can tell: reasons to refuse it before anything is learnt from it.</summary>
internal static class Require
{
    /// <summary>Why an experience whose targets are no classes is refused; null where they are.</summary>
    /// <param name="experience">The new one.</param>
    /// <param name="mechanism">Who asks.</param>
    public static string? Classes(Experience experience, string mechanism) =>
        experience.Train.TargetKind == TargetKind.Classes
            ? null
            : $"targets are {experience.Train.TargetKind}, expected Classes by {mechanism}";
}
