namespace Engram.Learning;

/// <summary>A place inside an experience. With the seed it determines everything that follows.</summary>
/// <param name="Experience">Index of the experience.</param>
/// <param name="Step">Steps done.</param>
public sealed record LearningCursor(int Experience, long Step);
