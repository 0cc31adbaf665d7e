using Engram.Data;
using Engram.Learning;

namespace Engram.Retention;

/// <summary>What only the first experience can tell, checked before anything is learnt from it.</summary>
internal static class Require
{
    /// <summary>Refuses targets that are no classes.</summary>
    /// <param name="context">The experience is the new one.</param>
    /// <param name="mechanism">Who asks.</param>
    public static void Classes(LearningContext context, string mechanism)
    {
        if (context.Experience.Train.TargetKind != TargetKind.Classes)
            throw new ArgumentException(
                $"experience: targets are {context.Experience.Train.TargetKind}, expected Classes by {mechanism}");
    }
}
