using Engram.Learning;
using Engram.Retention;

namespace Engram.Evaluation;

/// <summary>How the experience at a position is learnt, where options differ from one to the next.</summary>
/// <param name="position">Place in the stream, from 0.</param>
/// <param name="strategy">Name of the strategy.</param>
/// <returns>
/// The options, and a strategy of the same mechanisms in the same order; the same objects for experiences that are learnt alike.
/// </returns>
public delegate (LearnerOptions Training, Strategy Strategy) ExperienceVariants(int position, string strategy);
